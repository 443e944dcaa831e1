// Shows a notice in browsers that are too old for the console. Written for every browser, however old. See vite.config.ts.
(function () {
  var fits = false;
  try {
    fits = 'popover' in HTMLElement.prototype && CSS.supports('color', 'light-dark(#000, #fff)') && CSS.supports('selector(:has(a))');
  } catch (problem) {
    // The browser lacks even the APIs above.
  }
  if (!fits) document.getElementById('too-old').removeAttribute('hidden');
})();
