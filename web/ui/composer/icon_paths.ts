/** SVG paths of the composer's icons: stroked, in a 24 × 24 view box. */
export const ICON_PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  send: "M12 19V5M5.5 11.5L12 5l6.5 6.5",
  picture: "M5 4.5h14a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 18V6A1.5 1.5 0 0 1 5 4.5zM4 16.5l4.5-4.5 7 7M13 16.5l3-3 4.5 4.5M15.5 9h.01",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.2c1.8 2.4 5.2 2.4 7 0M9 9.5h.01M15 9.5h.01",
};
