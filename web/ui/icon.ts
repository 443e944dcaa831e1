const SVG = "http://www.w3.org/2000/svg";

/** Creates an icon from a path in a 24 × 24 view box; the style sheet styles `.i`. */
export function iconOf(drawn: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", drawn);
  svg.append(path);
  return svg;
}
