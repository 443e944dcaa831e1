// Waiting for what has no event of its own: asked again and again, until it holds or the time is over.
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
