/** Plays two soft tones, synthesised so that there is nothing to download. */
export function playSound(): void {
  try {
    const context = new AudioContext();
    const tone = (frequency: number, at: number) => {
      const oscillator = context.createOscillator();
      const gain = context.createGain();
      oscillator.frequency.value = frequency;
      gain.gain.setValueAtTime(0, context.currentTime + at);
      gain.gain.linearRampToValueAtTime(0.12, context.currentTime + at + 0.015);
      gain.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + at + 0.45);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(context.currentTime + at);
      oscillator.stop(context.currentTime + at + 0.5);
      return oscillator;
    };
    tone(660, 0);
    tone(880, 0.12).onended = () => void context.close();
  } catch {
    // No audio device: the badge must do.
  }
}
