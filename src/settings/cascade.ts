import { BlvitError } from '../base/blvit-error.js'
import type { Setting } from './setting.js'

/** Takes back what a model was loaded with. */
const none = 'none'

/** From this probability on the first answer counts where nothing else is said. */
const usuallySure = 0.8

// 144:0.8, 144px, 0.25:0.7, 144@0.25
const form = /^(?:(?<pixels>[1-9]\d*)(?:px)?)?(?:(?<at>@)?(?<ratio>0?\.\d+))?(?::(?<sure>0?\.\d+))?$/

/** What a text says. @throws BlvitError `BAD_OPTION` */
function read(text: string) {
  const { pixels, at, ratio, sure = usuallySure } = form.exec(text.trim())?.groups ?? {}
  const sureFrom = Number(sure)
  // of two an @ stands between them
  const isFirst = at === undefined ? (pixels === undefined) !== (ratio === undefined) : pixels !== undefined
  if (!isFirst || sureFrom === 0 || Number(ratio) === 0) {
    const message =
      `Cascade "${text}" is no first stage with the probability that is sure enough, such as 144:0.8: pixels of a smaller ` +
      'picture (144), a keep ratio of a bLViT (0.25), or both (144@0.25).'
    throw new BlvitError('BAD_OPTION', message)
  }
  const first = {
    ...(pixels === undefined ? {} : { imageSize: Number(pixels) }),
    ...(ratio === undefined ? {} : { keepRatio: Number(ratio) }),
  }
  return { first, sureFrom, text: `${Object.values(first).join('@')}:${sureFrom}` }
}

function canonical(value: unknown): string {
  return `${value}`.trim() === none ? none : read(`${value}`).text
}

/**
 * A cheap run first, and the whole one where that is unsure: a smaller picture, fewer patches for the big blocks, or both.
 * Most pictures are easy, so most never need the second.
 */
export const cascade = {
  flags: '--cascade',
  placeholder: 'first:sure',
  about:
    'answer by a cheaper run first, 144 pixels or keep ratio 0.25, and again where its best class is less probable than that, e.g. 144:0.8',
  parse: canonical,
  check: canonical,
  print: (text) => (text === none ? '' : `cascade ${text}`),
  firstStage: (text) => (text === none ? undefined : read(text)),
} as const satisfies Setting<string>
