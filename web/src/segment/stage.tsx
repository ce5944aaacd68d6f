import type { Prompt } from 'blvit/web'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ChosenPhoto } from '../photo/chosen-photo.js'
import type { EncodedPhoto } from '../worker/segmenter.js'
import type { Place, Prompted } from './use-masks.js'

/** Shows a picture of the engine's thread, or nothing. */
function Overlay({
  picture,
  size,
}: {
  readonly picture: ImageBitmap | undefined
  readonly size: EncodedPhoto
}) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const { width, height } = size
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    context?.clearRect(0, 0, width, height)
    if (picture) context?.drawImage(picture, 0, 0)
  }, [picture, width, height])
  return <canvas ref={canvas} width={width} height={height} />
}

interface StageProps {
  readonly photo: ChosenPhoto
  readonly size: EncodedPhoto
  readonly overlay: ImageBitmap | undefined
  /** What is to be seen on it, for who can't see it. */
  readonly about: string
  readonly prompted: Prompted
  /** Whether dragging draws a box, and a click is none. */
  readonly drawsBox: boolean
  /** Whether a click says what is not part of the object. */
  readonly isOutside: boolean
  readonly onHover: (place: Place | undefined) => void
  readonly onClick: (place: Place, label: 0 | 1) => void
  readonly onBox: (box: NonNullable<Prompt['box']>) => void
  readonly onUndo: () => void
}

const steps: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
}

/** Of the photo's longer side: as far as an arrow key moves the cross. */
const stepShare = 0.02

const between = (value: number, most: number) => Math.min(most, Math.max(0, value))

/** Left, top, right and bottom of what lies between two places; undefined where that is nothing. */
function boxBetween(from: Place, to: Place): NonNullable<Prompt['box']> | undefined {
  const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)]
  const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)]
  return right - left >= 1 && bottom - top >= 1 ? [left, top, right, bottom] : undefined
}

/** The photo, what was clicked on it and what it means; clicks, a drawn box, or the arrow keys and Enter. */
export function Stage(props: StageProps) {
  const { photo, size, overlay, about, prompted, drawsBox, isOutside } = props
  const { onHover, onClick, onBox, onUndo } = props
  const { width, height } = size
  const [cross, setCross] = useState<Place>()
  const [drag, setDrag] = useState<{ readonly from: Place; readonly to: Place }>()
  // a click must lie within the picture
  const inside = (x: number, y: number): Place => ({
    x: between(x, width - 0.01),
    y: between(y, height - 0.01),
  })
  const placeOf = (event: MouseEvent): Place => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect()
    return inside(
      ((event.clientX - box.left) / box.width) * width,
      ((event.clientY - box.top) / box.height) * height,
    )
  }
  const mark = (place: Place) => {
    if (!drawsBox) return onClick(place, isOutside ? 0 : 1)
    // by the keyboard a box is two corners
    if (!drag) return setDrag({ from: place, to: place })
    const box = boxBetween(drag.from, place)
    setDrag(undefined)
    if (box) onBox(box)
  }
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Backspace' || event.key === 'Escape') {
      setDrag(undefined)
      return onUndo()
    }
    const before = cross ?? { x: width / 2, y: height / 2 }
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      return mark(before)
    }
    const [right, down] = steps[event.key] ?? []
    if (right === undefined || down === undefined) return
    event.preventDefault()
    const step = stepShare * Math.max(width, height)
    const place = inside(before.x + right * step, before.y + down * step)
    setCross(place)
    if (drag) setDrag({ from: drag.from, to: place })
    onHover(place)
  }
  const boxes = [prompted.box, drag && boxBetween(drag.from, drag.to)].flatMap((box) => (box ? [box] : []))
  return (
    <div
      class={drawsBox ? 'stage draws' : 'stage'}
      role="application"
      aria-label="The photo: the arrow keys move a cross, Enter clicks, Backspace takes back"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the cross
      tabIndex={0}
      onKeyDown={key}
      // a finger that scrolls the page clicks nothing
      onClick={(event) => {
        if (drawsBox) return
        setCross(undefined)
        onClick(placeOf(event), isOutside || event.shiftKey ? 0 : 1)
      }}
      onPointerDown={(event) => {
        if (!drawsBox || event.button !== 0) return
        const place = placeOf(event)
        setCross(undefined)
        event.currentTarget.setPointerCapture(event.pointerId)
        setDrag({ from: place, to: place })
      }}
      onPointerMove={(event) => {
        const place = placeOf(event)
        if (drag) setDrag({ from: drag.from, to: place })
        else onHover(place)
      }}
      onPointerUp={(event) => {
        if (!drag) return
        const box = boxBetween(drag.from, placeOf(event))
        setDrag(undefined)
        if (box) onBox(box)
      }}
      onPointerLeave={() => onHover(undefined)}
    >
      <img src={photo.url} alt={about} width={width} height={height} draggable={false} />
      <Overlay picture={overlay} size={size} />
      <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {boxes.map(([left, top, right, bottom]) => (
          <rect key="box" x={left} y={top} width={right - left} height={bottom - top} />
        ))}
        {prompted.points.map(({ x, y, label = 1 }) => (
          <circle
            key={`${x} ${y}`}
            class={label === 1 ? 'on' : 'off'}
            cx={x}
            cy={y}
            r={0.012 * Math.max(width, height)}
          />
        ))}
        {cross && (
          <path
            d={`M${cross.x} 0V${height}M0 ${cross.y}H${width}`}
            stroke-width={0.003 * Math.max(width, height)}
          />
        )}
      </svg>
    </div>
  )
}
