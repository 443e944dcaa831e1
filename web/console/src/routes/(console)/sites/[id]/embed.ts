// The code that a site owner pastes. Fixed by the public API reference: only host and key vary. It is correct as it is, on
// every page and for every visitor.

export function snippet(host: string, key: string): string {
  return `<script>(function(){
  var s = document.createElement('script');
  s.src = '${host}/api/widget.js?key=${key}';
  s.async = true; document.head.appendChild(s);
})();</script>`;
}

/** Commented out, because a sample value pasted unchanged would make all visitors the same person. */
export const knownVisitors = `<script>
// window.OCS = { externalId: 'THE ID OF THE SIGNED-IN VISITOR', nickname: 'THEIR NAME' };
</script>`;

export function oneTag(host: string, key: string): string {
  return `<script async src="${host}/api/widget.js?key=${key}" nonce="YOUR_NONCE"></script>`;
}

export function policyLines(host: string): string {
  const socket = host.replace(/^http/, 'ws');
  return `script-src ${host};
connect-src ${host} ${socket};
img-src ${host} blob:;`;
}
