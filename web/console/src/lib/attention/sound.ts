// The notification sound: two soft notes, synthesised so that there is nothing to download.
let context: AudioContext | null = null;

/** Unlocks audio. Browsers allow sound only after a user gesture; call it from the first one. */
export function allowSound(): void {
  context ??= 'AudioContext' in window ? new AudioContext() : null;
  if (context?.state === 'suspended') void context.resume();
}

export function soundAllowed(): boolean {
  return context?.state === 'running';
}

export function playSound(): void {
  if (context?.state !== 'running') return;
  note(context, 659.25, 0);
  note(context, 880, 0.11);
}

function note(context: AudioContext, pitch: number, after: number): void {
  const start = context.currentTime + after;
  const tone = context.createOscillator();
  const loudness = context.createGain();
  tone.type = 'sine';
  tone.frequency.value = pitch;
  loudness.gain.setValueAtTime(0, start);
  loudness.gain.linearRampToValueAtTime(0.14, start + 0.015);
  loudness.gain.exponentialRampToValueAtTime(0.0001, start + 0.4);
  tone.connect(loudness).connect(context.destination);
  tone.start(start);
  tone.stop(start + 0.45);
}
