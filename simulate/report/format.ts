/** How figures read; a dash where there is none. */
export type Format = (value: number | null) => string;

const orDash =
  (write: (value: number) => string): Format =>
  (value) =>
    value === null ? '–' : write(value);

export const whole: Format = orDash((value) => Math.round(value).toLocaleString('en'));
export const decimal: Format = orDash((value) =>
  Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1),
);
export const percent: Format = orDash((value) => {
  if (value > 0 && value < 0.0005) return '< 0.1 %';
  const hundredths = Math.round(value * 1000) / 10;
  return `${hundredths < 10 ? hundredths : Math.round(hundredths)} %`;
});

/** Seconds; from two minutes on minutes. */
export const duration: Format = orDash((seconds) => {
  if (seconds < 120) return `${seconds < 10 && seconds % 1 !== 0 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole % 60 === 0) return `${whole / 60} min`;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
});

/** Hours and minutes since the start. */
export function clock(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}
