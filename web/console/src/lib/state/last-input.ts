let wasTouch = globalThis.matchMedia?.('(pointer: coarse)').matches ?? false;

if (typeof window !== 'undefined') {
  const options = { capture: true, passive: true };
  addEventListener('pointerdown', ({ pointerType }) => (wasTouch = pointerType !== 'mouse'), options);
  addEventListener('keydown', () => (wasTouch = false), options);
}

/**
 * Was the last input a touch? Then focusing a field programmatically would open the on-screen keyboard. Judged by the last
 * input and not by the device: a tablet may have a keyboard, and a browser may report no pointer at all.
 */
export const lastInputWasTouch = (): boolean => wasTouch;
