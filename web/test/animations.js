// Lets browser tests wait until animations have ended, instead of for a fixed time.

/** Resolves after the next frame has been painted. */
export const frame = (page) => page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));

/** Resolves when all finite animations have ended, in the page and in the chat's shadow root, and a frame has been painted since. */
export async function still(page) {
  const moving = () => page.evaluate(async () => {
    const roots = [document, document.querySelector("ocs-chat")?.shadowRoot].filter(Boolean);
    const ends = (animation) => animation.effect?.getComputedTiming().endTime !== Infinity;
    const running = roots.flatMap((root) => root.getAnimations()).filter((animation) => animation.playState === "running" && ends(animation));
    await Promise.all(running.map((animation) => animation.finished.catch(() => {})));
    return running.length;
  });
  do await frame(page); while (await moving());
}
