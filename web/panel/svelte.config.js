/** Read by the build and by svelte-check. */
export default {
  compilerOptions: {
    // Nodes are made one by one: pages that forbid parsed markup (Trusted Types 'none') can hold the chat.
    fragments: "tree",
    css: "external",
    runes: true,
    discloseVersion: false,
    // A panel has one chat for its whole life: taking it apart once is meant.
    warningFilter: ({ code }) => code !== "state_referenced_locally",
  },
};
