/** Runs `act` in one of the open tabs only: the first that claims `name`. Whoever is less apt asks later. */
export function inOneTab(name: string, afterMs: number, act: () => void): void {
  if (afterMs > 0) setTimeout(() => inOneTab(name, 0, act), afterMs);
  else if (navigator.locks) claimByLock(name, act);
  else claimByStorage(name, act);
}

function claimByLock(name: string, act: () => void): void {
  void navigator.locks.request(`ocs:${name}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    act();
    await new Promise((free) => setTimeout(free, 3000));
  });
}

/** Plain http has no locks; two tabs in the same instant may then both act. */
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
