import { useCallback, useState } from 'preact/hooks'
import type { IncomingFile } from '../photo/incoming-files.js'
import { PhotoPicker } from '../photo/photo-picker.js'
import type { Tab, TabProps } from '../tab.js'
import { billions, milliseconds } from '../words.js'
import { CutOut } from './cut-out.js'
import { ModelChooser } from './model-chooser.js'
import { type Encoding, useEncoded } from './use-encoded.js'
import { type GivenModel, useModel } from './use-model.js'

/** How far the encoder has come: as long as the photo before took, if there was one. */
function EncoderLine({ encoding, model }: { readonly encoding: Encoding; readonly model: GivenModel }) {
  const { encoded, sinceMs, beforeMs } = encoding
  // of a model that was kept, its work is known once it is read
  const { multiplyAdds } = encoded ?? model.state ?? {}
  const work = multiplyAdds === undefined ? '' : `, ${billions(multiplyAdds)} multiply-adds`
  if (encoded) {
    return (
      <p class="facts">
        Encoded once, in <strong>{milliseconds(encoded.elapsedMs)}</strong>
        {work}: each click is answered from that.
      </p>
    )
  }
  if (sinceMs === undefined) return null
  const [gone, whole] = [sinceMs, beforeMs].map((ms) => ms && (ms / 1000).toFixed(1))
  return (
    <p>
      <label>
        {`Encoding, once${work}: ${gone || '0.0'} s${whole ? `; the photo before took ${whole} s` : ''} `}
        <progress {...(beforeMs && { value: Math.min(sinceMs, beforeMs), max: beforeMs })} />
      </label>
    </p>
  )
}

function SegmentView({ active, photo, onPhoto }: TabProps) {
  // before anybody looks here, the engine isn't asked
  const [wasActive, setWasActive] = useState(active)
  if (active && !wasActive) setWasActive(true)
  const { model, open } = useModel(wasActive)
  const encoding = useEncoded(wasActive ? photo : undefined, model)
  const isModel = useCallback(
    (files: readonly IncomingFile[]) => {
      const some = files.some(({ file }) => /\.(safetensors|json|pth?|bin)$/.test(file.name))
      if (some) void open(files)
      return some
    },
    [open],
  )
  return (
    <>
      <p class="lead">
        Click on something: a Segment Anything model cuts it out. It looks at the photo once, which takes
        long, and answers each click in milliseconds then.
      </p>
      <ModelChooser model={model} onFiles={open} />
      <PhotoPicker active={active} onPhoto={onPhoto} takesOthers={isModel} />
      {photo && model.name !== undefined && (
        <div aria-busy={encoding.sinceMs !== undefined}>
          {encoding.failure && <p role="alert">{`${photo.name}: ${encoding.failure}`}</p>}
          <EncoderLine encoding={encoding} model={model} />
          {encoding.encoded && <CutOut key={photo.id} photo={photo} size={encoding.encoded} />}
        </div>
      )}
    </>
  )
}

export const segmentTab: Tab = { id: 'segment', title: 'Segment', View: SegmentView }
