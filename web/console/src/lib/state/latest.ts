/**
 * Runs `load` one at a time. A call during a run has it run once more, and resolves when that is done: what was loaded is then
 * never older than the call.
 */
export function latest(load: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;

  async function run() {
    do {
      again = false;
      await load();
    } while (again);
  }

  return () => {
    if (running) again = true;
    else running = run().finally(() => (running = undefined));
    return running;
  };
}
