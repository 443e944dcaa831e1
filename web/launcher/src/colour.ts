const light = (colour: string) =>
  [1, 3, 5].reduce((sum, at, index) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return sum + [0.2126, 0.7152, 0.0722][index]! * (part > 0.04 ? ((part + 0.055) / 1.055) ** 2.4 : part / 12.92);
  }, 0.05);

const contrast = (a: string, b: string) => Math.max(light(a) / light(b), light(b) / light(a));

/** On grounds darker than this white reads better than ink (#14181f): there both have the same contrast. */
const MIDDLE = 0.249;

/** The site's text colour where it can be read on its ground, else the better of white and ink. */
export const readable = (text: string, ground: string) =>
  contrast(text, ground) >= 4.5 ? text : light(ground) < MIDDLE ? "#ffffff" : "#14181f";
