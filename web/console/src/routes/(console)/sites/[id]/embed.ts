// What a site owner pastes. Fixed by the public contract: only host and key vary.

export function snippet(host: string, key: string): string {
  return `<script>
window.OCS = { externalId: 'user_12345', nickname: 'John Doe' };   // optional
</script>
<script>(function(){
  var s = document.createElement('script');
  s.src = '${host}/api/widget.js?key=${key}';
  s.async = true; document.head.appendChild(s);
})();</script>`;
}

export function oneTag(host: string, key: string): string {
  return `<script async src="${host}/api/widget.js?key=${key}" nonce="YOUR_NONCE"></script>`;
}

export function policyLines(host: string): string {
  const socket = host.replace(/^http/, 'ws');
  return `script-src ${host};
connect-src ${host} ${socket};
img-src ${host} blob:;`;
}
