"""Approves the first request that it sees: connect, subscribe, decide. Needs nats-py; see requirements.txt."""
import asyncio, json, os, nats

async def main():
    bot = await nats.connect(os.environ["NATS_URL"], user="demo_bot", password=open(os.environ["BOT_PASSWORD_FILE"]).read())
    requests = await bot.subscribe("approvals.requested.*")
    await bot.flush()
    print("listening", flush=True)
    ask = json.loads((await requests.next_msg(timeout=60)).data)
    decision = {key: ask[key] for key in ("workflow_id", "approval_id", "digest")} | {"decision": "approved", "decided_by": "a script"}
    subject = "approvals.decisions.demo_bot." + ask["workflow_id"]
    print((await bot.request(subject, json.dumps(decision).encode(), headers={"Nats-Msg-Id": ask["approval_id"]})).data.decode())

asyncio.run(main())
