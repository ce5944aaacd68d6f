import type { PictureMask } from '../image/picture-mask.js'

/**
 * For each pixel of a mask the squared distance to the nearest pixel outside, exactly (Felzenszwalb and Huttenlocher 2012: the
 * lower envelope of parabolas); what lies beyond the picture is outside. 0 for pixels that are not meant.
 * @returns `[height, width]`, in square pixels
 */
export function squaredDistances({ height, width, values }: PictureMask): Float64Array {
  const distances = new Float64Array(height * width)
  for (let x = 0; x < width; x++) columnDistances(distances, values, { x, height, width })
  for (let y = 0; y < height; y++) {
    const row = distances.subarray(y * width, (y + 1) * width)
    row.set(lowerEnvelope(row))
  }
  return distances
}

/** Within one column: to the nearer end of its run. */
function columnDistances(
  distances: Float64Array,
  values: Uint8Array,
  { x, height, width }: { readonly x: number; readonly height: number; readonly width: number },
): void {
  let steps = 0
  for (let at = x; at < height * width; at += width) {
    steps = values[at] === 0 ? 0 : steps + 1
    distances[at] = steps
  }
  steps = 0
  for (let at = x + (height - 1) * width; at >= 0; at -= width) {
    steps = values[at] === 0 ? 0 : steps + 1
    distances[at] = Math.min(distances[at] ?? 0, steps) ** 2
  }
}

/** At each place the least of (place − centre)² + height over all centres; beyond both ends stand centres of height 0. */
function lowerEnvelope(heights: Float64Array): Float64Array {
  const length = heights.length + 2
  const heightAt = (centre: number) =>
    centre === 0 || centre === length - 1 ? 0 : (heights[centre - 1] ?? 0)
  const centres = new Int32Array(length)
  /** from where on each centre's parabola is the lowest */
  const starts = new Float64Array(length + 1)
  let last = 0
  starts[0] = Number.NEGATIVE_INFINITY
  starts[1] = Number.POSITIVE_INFINITY
  for (let centre = 1; centre < length; centre++) {
    const meet = () => {
      const other = centres[last] ?? 0
      return (heightAt(centre) + centre ** 2 - heightAt(other) - other ** 2) / (2 * (centre - other))
    }
    let start = meet()
    while (start <= (starts[last] ?? 0)) {
      last--
      start = meet()
    }
    last++
    centres[last] = centre
    starts[last] = start
    starts[last + 1] = Number.POSITIVE_INFINITY
  }
  const lowest = new Float64Array(heights.length)
  let lying = 0
  for (let place = 1; place < length - 1; place++) {
    while ((starts[lying + 1] ?? 0) < place) lying++
    const centre = centres[lying] ?? 0
    lowest[place - 1] = (place - centre) ** 2 + heightAt(centre)
  }
  return lowest
}
