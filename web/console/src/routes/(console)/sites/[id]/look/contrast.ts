/** The WCAG 2.2 contrast ratio of two "#rrggbb" colours, from 1 to 21. */
export function contrastOf(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminanceOf(a), luminanceOf(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function luminanceOf(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export const minContrast = 4.5;
export const isColour = (text: string): boolean => /^#[0-9a-f]{6}$/i.test(text);

/** The widget's dark text colour. */
const ink = '#14181f';
const steps = 510;

/**
 * The readable colour nearest to `text`: on the same side (lighter or darker) of the background, with the same hue and the
 * closest lightness. If that side has none (white on yellow), the widget's own light or dark text colour. The server validates
 * and suggests by the same rule (src/sites/contrast.rs).
 */
export function nearestReadable(text: string, background: string): string {
  const [hue, saturation, lightness] = hslOf(text);
  const side = luminanceOf(text) >= luminanceOf(background) ? 1 : -1;
  for (let step = 0; step <= steps; step++) {
    const colour = fromHsl(hue, saturation, Math.min(1, Math.max(0, lightness + (side * step) / steps)));
    if (contrastOf(colour, background) >= minContrast) return colour;
  }
  return ['#ffffff', ink].find((colour) => contrastOf(colour, background) >= minContrast) ?? '#000000';
}

/** Converts to HSL: hue in sixths of the circle (0 to 6), saturation and lightness from 0 to 1. */
function hslOf(colour: string): [number, number, number] {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const max = Math.max(r, g, b);
  const spread = max - Math.min(r, g, b);
  const lightness = max - spread / 2;
  if (spread === 0) return [0, 0, lightness];
  const hue = max === r ? ((g - b) / spread + 6) % 6 : max === g ? (b - r) / spread + 2 : (r - g) / spread + 4;
  return [hue, spread / (1 - Math.abs(2 * lightness - 1)), lightness];
}

function fromHsl(hue: number, saturation: number, lightness: number): string {
  const chroma = (1 - Math.abs(2 * lightness - 1)) * saturation;
  const second = chroma * (1 - Math.abs((hue % 2) - 1));
  const least = lightness - chroma / 2;
  const shares = [
    [chroma, second, 0],
    [second, chroma, 0],
    [0, chroma, second],
    [0, second, chroma],
    [second, 0, chroma],
    [chroma, 0, second],
  ][Math.min(5, Math.floor(hue))]!;
  const pair = (share: number) => Math.min(255, Math.max(0, Math.round((share + least) * 255))).toString(16).padStart(2, '0');
  return `#${shares.map(pair).join('')}`;
}
