import type { ComponentChildren } from 'preact'

const frame = { width: 360, height: 170, left: 60, right: 52, top: 12, bottom: 30 } as const

const inWidth = (share: number) => frame.left + share * (frame.width - frame.left - frame.right)
const inHeight = (share: number) =>
  frame.height - frame.bottom - share * (frame.height - frame.top - frame.bottom)

/** Where something lies, in shares of the two axes from 0 on. */
export type Place = readonly [number, number]

/** What is drawn over the common axis, from 0 on an axis of its own. */
interface Drawn {
  /** What it is, as the caption says it. */
  readonly of: string
  readonly places: readonly Place[]
  /** What stands at the top of its axis. */
  readonly most: string | undefined
}

interface TwoCurvesProps {
  /** For those who don't see it. */
  readonly about: string
  /** With dots at what was measured; its axis is the left one. */
  readonly dots: Drawn
  /** Its axis is the right one. */
  readonly line: Drawn
  /** What both go over. */
  readonly over: string
  readonly ticks: readonly { readonly at: number; readonly text: string | number }[]
  /** A place on the common axis that is marked. */
  readonly now?: number
  readonly columns: readonly string[]
  /** The same numbers; the first cell of each row is its head. */
  readonly rows: readonly (readonly ComponentChildren[])[]
}

const pointsOf = (places: readonly Place[]) =>
  places.map(([x, y]) => `${inWidth(x)},${inHeight(y)}`).join(' ')

/** Two quantities over a third, as a picture and as a table. */
export function TwoCurves({ about, dots, line, over, ticks, now, columns, rows }: TwoCurvesProps) {
  const upright = (className: string, at: number) => (
    <line class={className} x1={inWidth(at)} x2={inWidth(at)} y1={inHeight(0)} y2={inHeight(1)} />
  )
  return (
    <figure class="curve">
      <svg viewBox={`0 0 ${frame.width} ${frame.height}`} role="img" aria-label={about}>
        {ticks.map(({ at, text }) => (
          <g key={at}>
            {upright('grid', at)}
            <text x={inWidth(at)} y={frame.height - 14} text-anchor="middle">
              {text}
            </text>
          </g>
        ))}
        <line class="axis" x1={inWidth(0)} x2={inWidth(1)} y1={inHeight(0)} y2={inHeight(0)} />
        {now !== undefined && upright('now', now)}
        <text class="time" x={frame.left - 6} y={inHeight(1) + 4} text-anchor="end">
          {dots.most}
        </text>
        <text class="work" x={frame.width - frame.right + 6} y={inHeight(1) + 4}>
          {line.most}
        </text>
        <text x={frame.left - 6} y={inHeight(0) + 4} text-anchor="end">
          0
        </text>
        <polyline class="work" points={pointsOf(line.places)} />
        <polyline class="time" points={pointsOf(dots.places)} />
        {dots.places.map(([x, y]) => (
          <circle key={x} class="time" cx={inWidth(x)} cy={inHeight(y)} r="3" />
        ))}
      </svg>
      <figcaption>
        <span class="time">● {dots.of}</span> <span class="work">— {line.of}</span>, over {over}
      </figcaption>
      <details>
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([head, ...cells]) => (
              <tr key={String(head)}>
                <th scope="row">{head}</th>
                {cells.map((cell, column) => (
                  <td key={columns[column + 1]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
