"""Approves one request: asks what is open, listens for what is announced, shows it, decides, and prints the approver's reply.

    NATS_URL=... BOT_PASSWORD_FILE=... python approve_bot.py [GOAL]

With GOAL it takes only a request whose goal contains these words. BOT_NAME is demo_bot by default. Ends with 0 where the approval
counts, and otherwise with 1. Needs nats-py; see requirements.txt. A real bot has a rule of its own in place of `takes`.
"""
import asyncio, json, os, sys, time, nats

NAME = os.environ.get("BOT_NAME", "demo_bot")
GOAL = " ".join(sys.argv[1:])
LOOK_AGAIN = 60  # seconds of silence before it asks again what is open
GIVE_UP = 300  # seconds without an acknowledgement and a reply
AWAY = (nats.errors.NoRespondersError, nats.errors.TimeoutError)


def say(name, value):
    """Prints a line without control characters: goals and names of files come from strangers."""
    text = value if isinstance(value, str) else json.dumps(value)
    print(f"{name}: " + "".join(c if c.isprintable() else "?" for c in text), flush=True)


def show(ask):
    context = ask["context"]
    say("workflow", ask["workflow_id"])
    say("question", ask["description"])
    for name in ("owner", "goal", "origin", "files", "tests", "security_issues_found"):
        say(name, context[name])
    say("risk", ask["risk_level"])
    say("digest", ask["digest"])
    say("approvals", f"{context['approvals_so_far']} of {ask['required_approvers']}")


def takes(ask):
    # A bare approval of needs_input would end the workflow: that one needs code or a recipe.
    return ask["approval_type"] != "needs_input" and GOAL in ask["context"]["goal"]


async def open_requests(bot):
    """Yields what was announced before this bot listened."""
    cursor = None
    while True:
        try:
            page = json.loads((await bot.request(f"approvals.open.{NAME}", json.dumps({"cursor": cursor}).encode(), timeout=5)).data)
        except AWAY:
            page = {"status": "unavailable", "code": "unavailable", "reason": "No approver answers now.", "open": [], "next": None}
        if page["status"] != "ok":
            say("open requests", page["reason"])
        if page["code"] == "not_entitled":
            sys.exit(1)
        for ask in page["open"]:
            yield ask
        cursor = page["next"]
        if cursor is None:
            return


async def find(bot, announced):
    """Returns the first request that this bot takes, open or announced."""
    while True:
        async for ask in open_requests(bot):
            if takes(ask):
                return ask
        look_again = time.monotonic() + LOOK_AGAIN
        while (left := look_again - time.monotonic()) > 0:
            try:
                ask = json.loads((await announced.next_msg(timeout=left)).data)
            except nats.errors.TimeoutError:
                break
            if takes(ask):
                return ask


async def send(bot, subject, body, message_id):
    """Returns whether the broker has acknowledged that the decision is stored."""
    try:
        ack = json.loads((await bot.request(subject, body, timeout=5, headers={"Nats-Msg-Id": message_id})).data)
    except AWAY:
        return False
    if "error" in ack:
        say("the broker", ack["error"])
    return "seq" in ack


async def decide(bot, ask):
    """Sends the decision until it is stored and answered; returns whether it counts."""
    replies = await bot.subscribe(ask["reply_subject"])
    decision = {key: ask[key] for key in ("workflow_id", "approval_id", "digest")} | {"decision": "approved", "decided_by": "a script"}
    subject, body = f"approvals.decisions.{NAME}.{ask['workflow_id']}", json.dumps(decision).encode()
    # The same for each try of this bot, so that a repeat counts once.
    message_id = f"{NAME}-{ask['approval_id']}"
    give_up = time.monotonic() + GIVE_UP
    while time.monotonic() < give_up:
        if not await send(bot, subject, body, message_id):
            await asyncio.sleep(1)
            continue
        send_again = time.monotonic() + 30
        while (left := send_again - time.monotonic()) > 0:
            try:
                reply = json.loads((await replies.next_msg(timeout=left)).data)
            except nats.errors.TimeoutError:
                break
            say("the approver's reply", f"{reply['status']} {reply['code'] or ''}: {reply['reason']}")
            # One that is kept is answered again once its gate is judged, and one of a flood may be sent again in a minute.
            if reply["message_id"] == message_id and reply["status"] != "kept" and reply["code"] != "too_many_refused":
                return reply["status"] == "applied"
    say("the decision", "No acknowledgement or no reply came; it may count all the same.")
    return False


async def main():
    bot = await nats.connect(os.environ["NATS_URL"], user=NAME, password=open(os.environ["BOT_PASSWORD_FILE"]).read().strip())
    announced = await bot.subscribe("approvals.requested.*")
    await bot.flush()
    print("listening", flush=True)
    ask = await find(bot, announced)
    show(ask)
    counts = await decide(bot, ask)
    await bot.close()
    return 0 if counts else 1


sys.exit(asyncio.run(main()))
