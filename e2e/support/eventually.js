// Waits for conditions without an event: repeats a check until it passes or the time is over.
export async function eventually(check, within = 20_000) {
  const end = Date.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (problem) {
      if (Date.now() > end) throw problem;
      await new Promise((go) => setTimeout(go, 40));
    }
  }
}

export const pause = (ms) => new Promise((go) => setTimeout(go, ms));
