/** The one thing that moves: what is under the pointer, in words. The same numbers stand in the tables. */
export const SCRIPT = `
const tip = document.getElementById('tip');
document.addEventListener('pointermove', (event) => {
  const at = event.target.closest ? event.target.closest('[data-tip]') : null;
  tip.hidden = !at;
  if (!at) return;
  tip.textContent = at.dataset.tip;
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const above = event.clientY - tip.offsetHeight - 12;
  tip.style.left = Math.max(8, left) + 'px';
  tip.style.top = (above < 8 ? event.clientY + 18 : above) + 'px';
});
document.addEventListener('pointerleave', () => { tip.hidden = true; });
`;
