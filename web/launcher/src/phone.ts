/** The widths at which the chat covers the page. Repeated in the style sheets of launcher and panel, because media queries take no variables. */
export const isPhone = () => matchMedia("(max-width: 480px)").matches;
