"""Approves one request: asks what is open, listens for what is announced, shows it, decides, and prints the approver's reply.

    NATS_URL=... BOT_PASSWORD_FILE=... python approve_bot.py [GOAL]

With GOAL it takes only a request whose goal contains these words. BOT_NAME is demo_bot by default. Needs nats-py; see
requirements.txt. A real bot has a rule of its own in place of `takes`.
"""
import asyncio, json, os, sys, nats

NAME = os.environ.get("BOT_NAME", "demo_bot")
GOAL = " ".join(sys.argv[1:])


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
    say("approvals", f"{context['approvals_so_far']} of {ask['required_approvers']}")


def takes(ask):
    # A bare approval of needs_input would end the workflow: that one needs code or a recipe.
    return ask["approval_type"] != "needs_input" and GOAL in ask["context"]["goal"]


async def open_requests(bot):
    """Yields what was announced before this bot came."""
    cursor = None
    while True:
        try:
            page = json.loads((await bot.request(f"approvals.open.{NAME}", json.dumps({"cursor": cursor}).encode(), timeout=5)).data)
        except (nats.errors.NoRespondersError, nats.errors.TimeoutError):
            page = {"status": "unavailable", "reason": "No approver answers now.", "open": [], "next": None}
        if page["status"] != "ok":
            say("open requests", page["reason"])
        for ask in page["open"]:
            yield ask
        cursor = page["next"]
        if cursor is None:
            return


async def decide(bot, ask):
    replies = await bot.subscribe(ask["reply_subject"])
    decision = {key: ask[key] for key in ("workflow_id", "approval_id", "digest")} | {"decision": "approved", "decided_by": "a script"}
    # The same for each try of this bot, so that a repeat counts once.
    message_id = f"{NAME}-{ask['approval_id']}"
    await bot.publish(f"approvals.decisions.{NAME}.{ask['workflow_id']}", json.dumps(decision).encode(), headers={"Nats-Msg-Id": message_id})
    while True:
        reply = json.loads((await replies.next_msg(timeout=60)).data)
        say("the approver's reply", f"{reply['status']} {reply['code'] or ''}: {reply['reason']}")
        # One that is kept is answered again once its gate is judged.
        if reply["message_id"] == message_id and reply["status"] != "kept":
            return


async def main():
    bot = await nats.connect(os.environ["NATS_URL"], user=NAME, password=open(os.environ["BOT_PASSWORD_FILE"]).read().strip())
    announced = await bot.subscribe("approvals.requested.*")
    await bot.flush()
    print("listening", flush=True)
    ask = None
    async for known in open_requests(bot):
        if takes(known):
            ask = known
            break
    while ask is None:
        known = json.loads((await announced.next_msg(timeout=60)).data)
        ask = known if takes(known) else None
    show(ask)
    await decide(bot, ask)
    await bot.close()


asyncio.run(main())
