// ---- A logarithmic axis of milliseconds.

const STEPS = [1, 1.5, 2, 3, 5, 7, 10];

/** From the shortest to the longest request, both ends at a round number. */
function limits() {
  let least = Infinity;
  let most = 0;
  for (const wall of requests.wall_ns) {
    least = Math.min(least, wall);
    most = Math.max(most, wall);
  }
  const low = Math.max(least / 1e6, 0.01);
  const high = Math.max((most / 1e6) * 1.03, low * 1.5);
  const round = (value, choose) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return choose(STEPS.map((step) => step * power));
  };
  return [
    round(low, (steps) => steps.filter((step) => step <= low * 1.0001).at(-1)),
    round(high, (steps) => steps.find((step) => step >= high * 0.9999)),
  ];
}

function logScale(low, high, left, right) {
  const span = Math.log(high / low);
  return {
    at: (value) => left + (Math.log(Math.max(value, low) / low) / span) * (right - left),
    value: (x) => low * Math.exp(((x - left) / (right - left)) * span),
    /** Round values with their places, at least `apart` pixels from each other. */
    ticks(apart) {
      const found = [];
      for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
        for (const step of [1, 2, 5]) {
          const value = step * power;
          const x = this.at(value);
          if (value < low * 0.999 || value > high * 1.001 || (found.length > 0 && x - found.at(-1).x < apart)) continue;
          found.push({ x, value });
        }
      }
      return found;
    },
  };
}

const axisWords = (value) => (value >= 1000 ? `${value / 1000}${THIN}s` : `${Number(value.toPrecision(2))}${THIN}ms`);
