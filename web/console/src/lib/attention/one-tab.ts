/** Runs `act` in only one of the open tabs, the first to claim `name`. Less suitable tabs pass a delay in `afterMs`. */
export function runInOneTab(name: string, afterMs: number, act: () => void): void {
  if (afterMs > 0) setTimeout(() => runInOneTab(name, 0, act), afterMs);
  else if (navigator.locks) claimByLock(name, act);
  else claimByStorage(name, act);
}

function claimByLock(name: string, act: () => void): void {
  void navigator.locks.request(`ocs:${name}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    act();
    await new Promise((release) => setTimeout(release, 3000));
  });
}

/** Plain http has no Web Locks; two tabs in the same instant may then both act. */
function claimByStorage(name: string, act: () => void): void {
  try {
    const last = JSON.parse(localStorage.getItem('ocs.claimed') ?? 'null');
    if (last?.name === name && Date.now() - last.at < 3000) return;
    localStorage.setItem('ocs.claimed', JSON.stringify({ name, at: Date.now() }));
  } catch {
    // Without storage every tab acts.
  }
  act();
}
