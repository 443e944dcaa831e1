/** Drawn on 24 × 24, stroked. */
export const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9.5l6 6 6-6",
  sound: "M11 5.5L6.5 9H3.5v6h3l4.5 3.5zM15 9.2a4 4 0 0 1 0 5.6M17.8 6.5a8 8 0 0 1 0 11",
  mute: "M11 5.5L6.5 9H3.5v6h3l4.5 3.5zM15.5 9.5l5 5M20.5 9.5l-5 5",
  send: "M12 19V5M5.5 11.5L12 5l6.5 6.5",
  picture: "M5 4.5h14a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 18V6A1.5 1.5 0 0 1 5 4.5zM4 16.5l4.5-4.5 7 7M13 16.5l3-3 4.5 4.5M15.5 9h.01",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.2c1.8 2.4 5.2 2.4 7 0M9 9.5h.01M15 9.5h.01",
  queued: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4.5l2.8 1.8",
  sent: "M5.5 12.5l4.2 4.2L18.5 8",
  delivered: "M2.5 12.5l4.2 4.2L15.5 8M11 16.2l.6.5L20.5 8",
  failed: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 8v4.5M12 15.9h.01",
};
export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** The same as the component draws, where elements are plain. */
export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
