import { useCallback, useId, useState } from 'preact/hooks'
import type { ChosenPhoto } from '../photo/chosen-photo.js'
import { save } from '../save.js'
import { milliseconds, percent } from '../words.js'
import type { EncodedPhoto, FoundAll, Wanted } from '../worker/segmenter.js'
import { thread } from '../worker/thread.js'
import { Everything } from './everything.js'
import { Stage } from './stage.js'
import {
  isAmbiguous,
  isNothing,
  nothing,
  type Place,
  type Prompted,
  promptOf,
  useHovered,
  useMasks,
} from './use-masks.js'

/** What a click or a drag means. */
const tools = [
  { id: 'inside', title: 'On the object' },
  { id: 'outside', title: 'Not part of it' },
  { id: 'box', title: 'Box around it' },
] as const

type ToolId = (typeof tools)[number]['id']

/** A mask that was found without prompts, chosen by a click. */
type Picked = NonNullable<Awaited<ReturnType<typeof pickAt>>>

function pickAt(photo: number, place: Place) {
  return thread.call('foundAt', { photo, ...place })
}

async function hoverAt(photo: number, { x, y }: Place) {
  const asked = { photo, prompt: { points: [{ x, y }] }, multimask: true }
  return (await thread.call('predict', asked))[0]
}

/** Everything that one object has been told by; the newest is taken back first. */
function usePrompted() {
  const [all, setAll] = useState<readonly Prompted[]>([nothing])
  const prompted = all.at(-1) ?? nothing
  return {
    prompted,
    add: (more: Partial<Prompted>) => setAll([...all, { ...prompted, ...more }]),
    undo: () => setAll(all.length > 1 ? all.slice(0, -1) : all),
    clear: () => setAll([nothing]),
  }
}

/** An encoded photo to be clicked on, and what comes of it. */
export function CutOut({ photo, size }: { readonly photo: ChosenPhoto; readonly size: EncodedPhoto }) {
  const { prompted, add, undo, clear } = usePrompted()
  const [tool, setTool] = useState<ToolId>('inside')
  const [place, setPlace] = useState<number>(0)
  const [pointer, setPointer] = useState<Place>()
  const [found, setFound] = useState<FoundAll>()
  const [picked, setPicked] = useState<Picked>()
  const [failure, setFailure] = useState<string>()
  const group = useId()
  const { masks, elapsedMs, failure: refusal } = useMasks(photo.id, prompted)
  const chosen = masks[Math.min(place, masks.length - 1)]
  const hasNothing = isNothing(prompted)
  const askHover = useCallback((at: Place) => hoverAt(photo.id, at), [photo.id])
  const askFound = useCallback((at: Place) => pickAt(photo.id, at), [photo.id, found])
  const hovered = useHovered(pointer, hasNothing && !found && tool !== 'box' ? askHover : undefined)
  const pointed = useHovered(pointer, found ? askFound : undefined)
  const overlay = found
    ? (picked?.picture ?? pointed?.picture ?? found.picture)
    : (chosen?.picture ?? hovered?.picture)
  const click = async (at: Place, label: 0 | 1) => {
    if (found) return setPicked(picked ? undefined : await pickAt(photo.id, at))
    setPlace(0)
    add({ points: [...prompted.points, { ...at, label }] })
  }
  const wanted: Wanted | undefined = found
    ? picked && { found: picked.found }
    : chosen && { prompt: promptOf(prompted), multimask: isAmbiguous(prompted), place: masks.indexOf(chosen) }
  const download = async () => {
    if (!wanted) return
    setFailure(undefined)
    try {
      const png = await thread.call('cutOutMask', { photo: photo.id, wanted })
      save(png, `${photo.name.replace(/\.\w+$/, '')}-cutout.png`)
    } catch (thrown) {
      setFailure((thrown as Error).message)
    }
  }
  const share = picked?.share ?? chosen?.share
  return (
    <div class="columns">
      <Stage
        photo={photo}
        size={size}
        overlay={overlay}
        about={share === undefined ? photo.name : `${photo.name}: ${percent(share)} of it is cut out`}
        prompted={found ? nothing : prompted}
        drawsBox={tool === 'box' && !found}
        isOutside={tool === 'outside'}
        onHover={setPointer}
        onClick={click}
        onBox={(box) => add({ box })}
        onUndo={undo}
      />
      <div>
        <fieldset disabled={found !== undefined}>
          <legend>A click is</legend>
          {tools.map(({ id, title }) => (
            <label key={id}>
              <input type="radio" name={group} checked={tool === id} onChange={() => setTool(id)} /> {title}
            </label>
          ))}
        </fieldset>
        <p class="hint">With Shift held, a click is not part of it.</p>
        {masks.length > 1 && !found && (
          <fieldset>
            <legend>It may mean</legend>
            {masks.map(({ predictedIou }, at) => (
              <label key={predictedIou}>
                <input
                  type="radio"
                  name={`${group}masks`}
                  checked={masks[at] === chosen}
                  onChange={() => setPlace(at)}
                />{' '}
                {`mask ${at + 1}`}
              </label>
            ))}
          </fieldset>
        )}
        {chosen && !found && (
          <p class="facts" role="status">
            {`${percent(chosen.share)} of the photo; predicted overlap ${chosen.predictedIou.toFixed(2)}, stability ${chosen.stability.toFixed(2)}`}
            {elapsedMs !== undefined && `; ${milliseconds(elapsedMs)}`}
          </p>
        )}
        {(failure ?? refusal) && <p role="alert">{failure ?? refusal}</p>}
        <p>
          <button type="button" class="main" disabled={!wanted} onClick={download}>
            Save the cut-out (PNG)
          </button>{' '}
          <button type="button" disabled={hasNothing} onClick={undo}>
            Take back
          </button>{' '}
          <button type="button" disabled={hasNothing} onClick={clear}>
            Start anew
          </button>
        </p>
        <Everything
          photo={photo.id}
          found={found}
          onFound={(all) => {
            setPicked(undefined)
            setFound(all)
          }}
        />
      </div>
    </div>
  )
}
