/** Where the chat covers the page. The sheets of launcher and panel say it again: a media query takes no variable. */
export const isPhone = () => matchMedia("(max-width: 480px)").matches;
