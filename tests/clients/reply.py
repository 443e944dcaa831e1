"""Replies as Python scripts send them. Arguments: address, key, conversation. Prints each text that was sent."""

import json
import sys
import urllib.parse
import urllib.request

address, key, conversation = sys.argv[1:]
at = f"{address}/api/chat_api.php"
to = f"{at}?action=reply_as_agent&key={key}"


def fields(text):
    return {"conversation_id": conversation, "content": text, "agent_name": "Ann", "source": "a field of ours"}


def check(text, answer):
    if json.loads(answer) != {"success": True}:
        sys.exit(f"{text}: {answer}")
    print(text)


def post(url, body, kind=None):
    request = urllib.request.Request(url, body, {"Content-Type": kind} if kind else {})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


text = "Python, urllib with a form: é €"
check(text, post(to, urllib.parse.urlencode(fields(text)).encode()))

text = "Python, urllib with JSON: é €"
check(text, post(to, json.dumps(fields(text)).encode(), "application/json"))

text = "Python, urllib with JSON after a byte order mark: é €"
check(text, post(to, json.dumps(fields(text), ensure_ascii=False).encode("utf-8-sig"), "application/json"))

text = "Python, urllib with JSON in UTF-16: é €"
check(text, post(to, json.dumps(fields(text)).encode("utf-16"), "application/json; charset=utf-16"))

text = "Python, urllib with the key in the form"
check(text, post(at, urllib.parse.urlencode({"key": key, "action": "reply_as_agent", **fields(text)}).encode()))

try:
    import requests
except ImportError:
    requests = None
if requests:
    text = "Python, requests with a form: é €"
    check(text, requests.post(to, data=fields(text), timeout=60).content)
    text = "Python, requests with JSON: é €"
    check(text, requests.post(to, json={**fields(text), "conversation_id": float(conversation)}, timeout=60).content)
    text = "Python, requests with files: é €"
    files = {name: (None, value) for name, value in fields(text).items()}
    check(text, requests.post(at, data={"key": key, "action": "reply_as_agent"}, files=files, timeout=60).content)

with urllib.request.urlopen(f"{at}/?action=get_recent_messages&key={key}") as answer:
    recent = json.load(answer)
if recent["data"][-1]["content"] != text:
    sys.exit(str(recent))
