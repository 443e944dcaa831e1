// Read by every browser, however old: it says so where the console cannot work as it should. See vite.config.ts.
(function () {
  var fits = false;
  try {
    fits = 'popover' in HTMLElement.prototype && CSS.supports('color', 'light-dark(#000, #fff)') && CSS.supports('selector(:has(a))');
  } catch (problem) {
    // Older still.
  }
  if (!fits) document.getElementById('too-old').removeAttribute('hidden');
})();
