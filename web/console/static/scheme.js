// Sets the colour scheme before the first paint, so that a stored choice never flashes the other one.
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
