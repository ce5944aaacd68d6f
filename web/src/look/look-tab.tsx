import { useEffect, useId, useState } from 'preact/hooks'
import { PhotoPicker } from '../photo/photo-picker.js'
import type { Tab, TabProps } from '../tab.js'
import { billions, milliseconds } from '../words.js'
import { isAborted } from '../worker/messages.js'
import { thread } from '../worker/thread.js'
import { type Cost, Curve, type Measured } from './curve.js'
import { Failure } from './failure.js'
import { Labels } from './labels.js'
import { RouteView } from './route-view.js'
import { type Look, useLook } from './use-look.js'

const model = 'blvit-tiny'
/** The places of the dial. */
const keepRatios = Array.from({ length: 20 }, (_, i) => (i + 1) / 20)

/** The multiply-adds at each place of the dial, once the model is there. */
function useCosts(isLoaded: boolean): readonly Cost[] {
  const [costs, setCosts] = useState<readonly Cost[]>([])
  useEffect(() => {
    if (!isLoaded) return
    const settings = keepRatios.map((keepRatio) => ({ keepRatio }))
    void thread.call('costs', { model, settings }).then((counts) => {
      setCosts(keepRatios.map((keepRatio, at) => ({ keepRatio, multiplyAdds: counts[at] ?? 0 })))
    })
  }, [isLoaded])
  return costs
}

/** All that was measured on a photo, the best of each keep ratio. */
function useMeasured({ photo, asked, seen, isBusy }: Look) {
  const [measured, setMeasured] = useState<ReadonlyMap<number, Measured>>(new Map())
  const add = (more: Measured) =>
    setMeasured((all) => {
      const before = all.get(more.keepRatio)
      return before && before.elapsedMs <= more.elapsedMs ? all : new Map(all).set(more.keepRatio, more)
    })
  const of = photo?.id
  // of another photo nothing has been measured
  useEffect(() => setMeasured(new Map()), [of])
  // an answer is added once, when it is whole
  useEffect(() => {
    const { keepRatio } = asked?.settings ?? {}
    if (!isBusy && seen && keepRatio !== undefined) add(measuredOf(keepRatio, seen))
  }, [seen, isBusy])
  return { measured: [...measured.values()], add }
}

function measuredOf(
  keepRatio: number,
  { elapsedMs, multiplyAdds, top }: NonNullable<Look['seen']>,
): Measured {
  const [best] = top
  return { keepRatio, elapsedMs, multiplyAdds, label: best?.label ?? '', probability: best?.probability ?? 0 }
}

/** Runs the photo at every place of the dial, on and on in turns, until it has been so often everywhere. */
function MeasureButton({
  look,
  onMeasured,
}: {
  readonly look: Look
  readonly onMeasured: (measured: Measured) => void
}) {
  const [controller, setController] = useState<AbortController>()
  const [failure, setFailure] = useState<string>()
  const { photo } = look
  const rounds = 3
  const measure = async () => {
    if (!photo) return
    const own = new AbortController()
    setController(own)
    setFailure(undefined)
    const { id, name, content } = photo
    try {
      for (let round = 0; round < rounds; round++) {
        for (const keepRatio of keepRatios.filter((_, at) => at % 2 === 1)) {
          const asked = { model, settings: { keepRatio } } as const
          const { seen } = await thread.call(
            'see',
            { photo: { id, name, content }, asked, traced: false },
            own,
          )
          onMeasured(measuredOf(keepRatio, seen))
        }
      }
    } catch (thrown) {
      if (!isAborted(thrown)) setFailure((thrown as Error).message)
    } finally {
      setController(undefined)
    }
  }
  // another photo has another curve
  useEffect(() => () => controller?.abort(), [photo])
  return controller ? (
    <button type="button" onClick={() => controller.abort()}>
      Stop measuring
    </button>
  ) : (
    <>
      <button type="button" disabled={!photo} onClick={measure}>
        Measure the whole curve
      </button>
      {failure && <p role="alert">{failure}</p>}
    </>
  )
}

function LookView({ active, photo, onPhoto }: TabProps) {
  const [keepRatio, setKeepRatio] = useState(0.5)
  const look = useLook(photo, { model, settings: { keepRatio } })
  const { seen, route, isBusy } = look
  const costs = useCosts(seen !== undefined)
  const { measured, add } = useMeasured(look)
  const dial = useId()
  return (
    <>
      <p class="lead">
        A Vision Transformer spends the same work on every patch of a photo. This one, a big.LITTLE ViT,
        chooses: bright patches take its big blocks, the others only little ones. Turn the dial.
      </p>
      <PhotoPicker active={active} onPhoto={onPhoto} />
      <Failure look={look} />
      {!seen && photo && isBusy && <p class="hint">{`Looking at ${photo.name} …`}</p>}
      <p class="slider dial">
        <label for={dial}>{`Keep ratio ${keepRatio}`}</label>
        <input
          id={dial}
          type="range"
          min={keepRatios[0]}
          max={1}
          step={keepRatios[0]}
          value={keepRatio}
          onInput={({ currentTarget }) => setKeepRatio(Number(currentTarget.value))}
        />
      </p>
      {seen && (
        <div class="columns" aria-busy={isBusy}>
          <div>{route ? <RouteView route={route} /> : <p class="hint">Drawing the route …</p>}</div>
          <div>
            <Labels top={seen.top} />
            <p class="facts">
              <strong>{milliseconds(seen.elapsedMs)}</strong> here, just now;{' '}
              <strong>{billions(seen.multiplyAdds)}</strong> multiply-adds
            </p>
            <Curve costs={costs} measured={measured} now={keepRatio} />
            <MeasureButton look={look} onMeasured={add} />
          </div>
        </div>
      )}
    </>
  )
}

export const lookTab: Tab = { id: 'look', title: 'Look', View: LookView }
