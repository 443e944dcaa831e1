// What browser tests wait for instead of a time: that nothing moves any more.

/** Resolves after the next frame is drawn. */
export const frame = (page) => page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));

/** Resolves when every animation that ends has ended, in the page and in the chat's shadow root, and a frame was drawn since. */
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
