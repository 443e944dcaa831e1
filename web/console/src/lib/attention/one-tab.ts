/** Runs `act` in one of the open tabs only: the first that claims `name`. */
export function inOneTab(name: string, act: () => void): void {
  if (!navigator.locks) return claimByStorage(name, act);
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
