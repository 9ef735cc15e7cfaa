import os

from evidence import attempt, call

attempt("setuid", lambda: os.setuid(0) or "root")
attempt("setgid", lambda: os.setgid(0) or "root")
attempt("setresuid", lambda: os.setresuid(0, 0, 0) or "root")
attempt("setgroups", lambda: os.setgroups([0, 6, 27]) or "joined")
attempt("setfsuid", lambda: call(122, 0) and "changed")
attempt("capset", lambda: call("capset", b"\x22\x05\x08\x20" + bytes(4), b"\xff" * 24))
attempt("keep_capabilities", lambda: call("prctl", 28, 0x3F, 0, 0, 0))
attempt("ambient", lambda: call("prctl", 47, 2, 21, 0, 0))
attempt("undo_no_new_privileges", lambda: call("prctl", 38, 0, 0, 0, 0))

def capabilities():
    held = [number for number in range(64) if held_in_bounding_set(number)]
    effective = bytearray(24)
    call(125, b"\x22\x05\x08\x20" + bytes(4), (__import__("ctypes").c_char * 24).from_buffer(effective))
    if any(effective):
        return bytes(effective).hex()
    raise PermissionError(1, "none")

def held_in_bounding_set(number):
    try:
        return call("prctl", 23, number, 0, 0, 0) == 1
    except OSError:
        return False

attempt("held", capabilities)
attempt("no_new_privileges_is_off", lambda: "off" if call("prctl", 39, 0, 0, 0, 0) == 0 else os.setuid(0))
