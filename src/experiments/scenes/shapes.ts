import { drawBelow, drawBetween } from '../../base/distributions.js'
import type { Random } from '../../base/random.js'

/** Whether a place belongs to a shape: x and y from −1 to 1 across the box that it fills. */
type Shape = (x: number, y: number) => boolean

/** An ellipse that is turned. */
function ellipse(random: Random): Shape {
  const turn = drawBetween(0, Math.PI, random)
  const flat = drawBetween(0.4, 1, random)
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)]
  return (x, y) => (x * cos + y * sin) ** 2 + ((y * cos - x * sin) / flat) ** 2 <= 1
}

/** A polygon or star: its corners lie at rising angles, each as far out as is drawn. */
function polygon(random: Random): Shape {
  const corners = 3 + drawBelow(6, random)
  const start = drawBetween(0, 2 * Math.PI, random)
  const radii = Array.from({ length: corners }, () => drawBetween(0.45, 1, random))
  const step = (2 * Math.PI) / corners
  return (x, y) => {
    const angle = (((Math.atan2(y, x) - start) % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI)
    const corner = Math.min(corners - 1, Math.floor(angle / step))
    const [a, b] = [radii[corner] ?? 1, radii[(corner + 1) % corners] ?? 1]
    const within = angle - corner * step
    // where the line between two corners lies at this angle
    const edge = (a * b * Math.sin(step)) / (a * Math.sin(within) + b * Math.sin(step - within))
    return Math.hypot(x, y) <= edge
  }
}

/** A blob: a circle whose radius swings. */
function blob(random: Random): Shape {
  const waves = [2, 3, 5].map((count) => ({
    count,
    height: drawBetween(0, 0.3 / Math.sqrt(count), random),
    phase: drawBetween(0, 2 * Math.PI, random),
  }))
  return (x, y) => {
    const angle = Math.atan2(y, x)
    const radius = waves.reduce(
      (sum, { count, height, phase }) => sum + height * Math.sin(count * angle + phase),
      0.7,
    )
    return Math.hypot(x, y) <= radius
  }
}

const kinds = [ellipse, polygon, blob]

/** One of several kinds, all equally often. */
export function drawShape(random: Random): Shape {
  const kind = kinds[drawBelow(kinds.length, random)] ?? ellipse
  return kind(random)
}
