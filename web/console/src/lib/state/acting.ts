let touch = globalThis.matchMedia?.('(pointer: coarse)').matches ?? false;

if (typeof window !== 'undefined') {
  const options = { capture: true, passive: true };
  addEventListener('pointerdown', ({ pointerType }) => (touch = pointerType !== 'mouse'), options);
  addEventListener('keydown', () => (touch = false), options);
}

/**
 * Somebody acts by touch: a field that takes the focus by itself would raise the on-screen keyboard. Goes by the last act,
 * not by the device: a tablet may have a keyboard, and a browser may know of no pointer at all.
 */
export const actsByTouch = (): boolean => touch;
