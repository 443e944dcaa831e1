// Runs before the first paint, so that a remembered light or dark never flashes the other.
(() => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    let chosen = 'auto';
    try {
      chosen = JSON.parse(localStorage.getItem('ocs.preferences') ?? '{}').scheme ?? 'auto';
    } catch {}
    document.documentElement.dataset.scheme = chosen === 'auto' ? (dark.matches ? 'dark' : 'light') : chosen;
  };
  apply();
  dark.addEventListener('change', apply);
  addEventListener('ocs:scheme', apply);
})();
