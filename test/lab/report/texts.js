// Runs in the page: what a reader sees of it, as far as a program can see. Its last expression is what is returned.
(() => {
  const visible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const box = ({ left, right, top, bottom }) => ({ left, right, top, bottom });

  /** Each run of text, one per line where it wraps, with its place on the page and the SVG that it is in. */
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: parent, data } = walker.currentNode;
    if (data.trim() === '' || !visible(parent) || parent.closest('title, desc, style')) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const svg = parent.closest('svg') && [...document.querySelectorAll('svg')].find((one) => one.contains(parent));
    for (const rect of range.getClientRects()) {
      if (rect.width > 0)
        texts.push({ text: data.trim(), ...box(rect), ...(svg && { svg: box(svg.getBoundingClientRect()) }) });
    }
  }

  const colour = (name) => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = `var(${name})`;
    const channels = getComputedStyle(probe)
      .color.match(/[\d.]+/g)
      .slice(0, 3)
      .map(Number);
    probe.remove();
    return channels;
  };
  const tones = ['source', 'target', 'dual', 'unbound', 'held', 'alarm', 'function'];
  const inks = [
    ...['ink', 'faint', 'alarm'].map((ink) => [ink, 'paper']),
    ...tones.map((tone) => [`on-${tone}`, tone]),
  ];
  return {
    texts,
    colours: inks.map(([ink, ground]) => ({ ink, ground, rgb: [colour(`--${ink}`), colour(`--${ground}`)] })),
    scrollWidth: document.documentElement.scrollWidth,
    width: document.documentElement.clientWidth,
    dots: [...document.querySelectorAll('svg path[d*="Z"]')]
      .filter(visible)
      .reduce((sum, path) => sum + path.getAttribute('d').split('Z').length - 1, 0),
    unnamedPictures: [...document.querySelectorAll('svg[role=img]')].filter(
      (svg) =>
        !svg
          .getAttribute('aria-labelledby')
          .split(' ')
          .every((id) => document.getElementById(id)?.textContent),
    ).length,
  };
})();
