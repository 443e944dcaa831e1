// Replies as Node scripts send them. Arguments: address, key, conversation. Prints each text that was sent.
const [address, key, conversation] = process.argv.slice(2);
const at = `${address}/api/chat_api.php`;
const to = `${at}?action=reply_as_agent&key=${key}`;
const fields = (text) => ({ conversation_id: conversation, content: text, agent_name: 'Ann', source: 'a field of ours' });

async function check(text, url, request) {
  const answer = await (await fetch(url, { method: 'POST', ...request })).text();
  if (answer !== '{"success":true}') throw new Error(`${text}: ${answer}`);
  console.log(text);
}

function formData(values) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.append(name, value);
  return form;
}

let text = 'Node, fetch with JSON: é €';
await check(text, to, { body: JSON.stringify(fields(text)), headers: { 'content-type': 'application/json' } });
text = 'Node, fetch with JSON as plain text: é €';
await check(text, to, { body: JSON.stringify({ ...fields(text), conversation_id: Number(conversation) }) });
text = 'Node, fetch with a form: é €';
await check(text, to, { body: new URLSearchParams(fields(text)) });
text = 'Node, fetch with FormData: é €';
await check(text, to, { body: formData(fields(text)) });
text = 'Node, fetch with the key in FormData';
await check(text, at, { body: formData({ key, action: 'reply_as_agent', ...fields(text) }) });
text = 'Node, fetch with the key in a header';
await check(text, `${at}?action=reply_as_agent`, { body: formData(fields(text)), headers: { 'x-api-key': key } });

const recent = await (await fetch(`${address}/api/chat_api/?action=get_recent_messages&key=${key}`)).json();
if (recent.data.at(-1).content !== text) throw new Error(JSON.stringify(recent));
