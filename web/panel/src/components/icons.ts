import { iconOf } from "@ocs/ui/icon.ts";

/** SVG paths: stroked, in a 24 × 24 view box. */
export const ICON_PATHS = {
  down: "M6 9.5l6 6 6-6",
  sound: "M11 5.5L6.5 9H3.5v6h3l4.5 3.5zM15 9.2a4 4 0 0 1 0 5.6M17.8 6.5a8 8 0 0 1 0 11",
  mute: "M11 5.5L6.5 9H3.5v6h3l4.5 3.5zM15.5 9.5l5 5M20.5 9.5l-5 5",
  queued: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4.5l2.8 1.8",
  sent: "M5.5 12.5l4.2 4.2L18.5 8",
  delivered: "M2.5 12.5l4.2 4.2L15.5 8M11 16.2l.6.5L20.5 8",
  failed: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 8v4.5M12 15.9h.01",
};
export type IconName = keyof typeof ICON_PATHS;

/** The Icon component as a plain DOM element. */
export const icon = (name: IconName): SVGElement => iconOf(ICON_PATHS[name]);
