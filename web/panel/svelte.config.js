/** Used by the build and by svelte-check. */
export default {
  compilerOptions: {
    // Create nodes with createElement, so that the chat works on pages that forbid parsed markup (Trusted Types 'none').
    fragments: "tree",
    css: "external",
    runes: true,
    discloseVersion: false,
    // A panel has the same chat for its whole life, so destructuring its props once is intended.
    warningFilter: ({ code }) => code !== "state_referenced_locally",
  },
};
