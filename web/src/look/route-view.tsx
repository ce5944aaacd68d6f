import type { Pixels } from 'blvit/web'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { Route } from '../worker/engine.js'
import { patchStory, stepAt } from './patch-story.js'

/** Draws pixels on a canvas of their size. */
function Picture({ pixels, about }: { readonly pixels: Pixels; readonly about: string }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const { width, height, values } = pixels
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context) return
    const image = context.createImageData(width, height)
    for (let from = 0, to = 0; from < values.length; from += 3, to += 4) {
      image.data[to] = values[from] ?? 0
      image.data[to + 1] = values[from + 1] ?? 0
      image.data[to + 2] = values[from + 2] ?? 0
      image.data[to + 3] = 255
    }
    context.putImageData(image, 0, 0)
  }, [width, height, values])
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={about} />
}

/** What became of one patch, step by step. */
function PatchStory({ route, patch }: { readonly route: Route; readonly patch: number }) {
  const { trace, panels } = route
  const { columns, rows } = trace.grid
  const titles = panels.steps.map(({ title }) => title)
  const story = patchStory(trace, titles, patch)
  const scored = story.some(({ score }) => score)
  return (
    <table class="story" aria-live="polite">
      <caption>{`Patch in row ${Math.floor(patch / columns) + 1}, column ${(patch % columns) + 1}`}</caption>
      <thead>
        <tr>
          <th scope="col">Where</th>
          <th scope="col">It takes</th>
          {scored && <th scope="col">Score</th>}
          {scored && <th scope="col">Rank</th>}
        </tr>
      </thead>
      <tbody>
        {story.map(({ title, fate, score }) => (
          <tr key={title}>
            <th scope="row">{title}</th>
            <td>{fate}</td>
            {scored && <td>{score ? score.value.toPrecision(3) : ''}</td>}
            {scored && <td>{score ? `${score.rank} of ${rows * columns}` : ''}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const arrows: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
}

/** The way of a photo's patches, layer by layer, and of the patch under the pointer. */
export function RouteView({ route, startLayer }: { readonly route: Route; readonly startLayer?: number }) {
  const { trace, panels, depth } = route
  const { rows, columns } = trace.grid
  const [layer, setLayer] = useState(startLayer ?? depth)
  const [patch, setPatch] = useState<number>()
  const id = useId()
  const index = stepAt(trace, Math.min(layer, depth))
  const step = panels.steps[index]
  const count = step?.count ?? panels.before
  const move = (event: KeyboardEvent) => {
    const [down, right] = arrows[event.key] ?? []
    if (down === undefined || right === undefined) return
    event.preventDefault()
    const [row, column] = [Math.floor((patch ?? 0) / columns), (patch ?? 0) % columns]
    const next = [
      Math.min(rows - 1, Math.max(0, row + down)),
      Math.min(columns - 1, Math.max(0, column + right)),
    ] as const
    setPatch(patch === undefined ? 0 : next[0] * columns + next[1])
  }
  const point = (event: PointerEvent) => {
    const { left, top, width, height } = (event.currentTarget as HTMLElement).getBoundingClientRect()
    const column = Math.floor(((event.clientX - left) / width) * columns)
    const row = Math.floor(((event.clientY - top) / height) * rows)
    if (row >= 0 && row < rows && column >= 0 && column < columns) setPatch(row * columns + column)
  }
  return (
    <div class="route">
      <div
        class="patches"
        role="application"
        aria-label="Patches: the arrow keys go from one to the next"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys choose a patch
        tabIndex={0}
        onKeyDown={move}
        onPointerMove={point}
        onPointerDown={point}
      >
        <Picture pixels={step?.pixels ?? trace.picture} about={`The photo in layer ${layer}: ${count}`} />
        {patch !== undefined && (
          <span
            class="patch"
            style={{
              left: `${(100 * (patch % columns)) / columns}%`,
              top: `${(100 * Math.floor(patch / columns)) / rows}%`,
              width: `${100 / columns}%`,
              height: `${100 / rows}%`,
            }}
          />
        )}
      </div>
      <p class="slider">
        <label for={id}>{`Layer ${layer} of ${depth}`}</label>
        <input
          id={id}
          type="range"
          min={1}
          max={depth}
          value={layer}
          onInput={({ currentTarget }) => setLayer(Number(currentTarget.value))}
        />
      </p>
      <p class="count">
        <strong>{step ? step.title : 'Before the first selection'}</strong>
        <br />
        {count}
      </p>
      <p>{panels.explanation}</p>
      <ul class="legend">
        {panels.legend.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      {patch === undefined ? (
        <p class="hint">Point at a patch to see what became of it.</p>
      ) : (
        <PatchStory route={route} patch={patch} />
      )}
    </div>
  )
}
