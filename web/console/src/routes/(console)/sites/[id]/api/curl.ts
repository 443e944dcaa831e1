// curl commands for the documented requests of the chat API.

export function curlFetch(host: string): string {
  return `curl "${host}/api/chat_api.php?action=get_recent_messages&key=CHAT_API_KEY"`;
}

export function curlReply(host: string): string {
  return `curl -X POST "${host}/api/chat_api.php?action=reply_as_agent&key=CHAT_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"conversation_id":123,"content":"Hello, we have received your message","agent_name":"Agent Wang"}'`;
}
