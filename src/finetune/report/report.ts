import { type Share, shareOf } from '../../base/share.js'
import type { OwnClasses } from '../../data/class-names.js'
import type { DataSet } from '../../data/data-set.js'
import {
  type Answered,
  type ClassResult,
  labelResults,
  meanAveragePrecision,
} from '../../problems/label-results.js'
import type { Pair } from '../../training/head/doubles.js'
import type { Collected, Failure, FeaturePicture } from '../features/collect.js'
import { accuracyOf, answerOf, classResults, confusionOf } from './assess.js'
import { type Mistake, mistakesOf, suspectsOf } from './suspects.js'

/** A picture that is taken for something else than its label says. */
export interface WrongPicture {
  readonly picture: string
  readonly label: string
  readonly said: string
  /** How sure the model is of what it says, 0 … 1. */
  readonly probability: number
}

/** Two pictures that show the same. */
export interface DoublePictures {
  readonly pictures: readonly [string, string]
  readonly labels: readonly [readonly string[], readonly string[]]
  /** Whether they have the same bytes; else they look alike. */
  readonly same: boolean
  /** Of their vectors. */
  readonly cosine: number
}

/** What share of pictures gets an answer where the best class must reach a threshold, and how many of those are right. */
export interface ThresholdResult {
  readonly threshold: number
  readonly answered: Share
  readonly right: Share
}

/** How good a head is on pictures that it didn't learn from. */
export interface HeldOut {
  /** Parts that the pictures were shared out among: each was answered by a head of the others. Undefined: one part was held out. */
  readonly folds?: number | undefined
  /** One label each: how often the answer is right. Several: how often all labels are right at 0.5. */
  readonly accuracy: Share
  /** Of `layers: 'all'`: how often the head was right that it began with, on the same pictures. */
  readonly headAccuracy?: Share | undefined
  /** Of several labels: the mean over the classes of the average precision. */
  readonly meanAveragePrecision?: number | undefined
  /** One label each. */
  readonly thresholds?: readonly ThresholdResult[] | undefined
  /** `[true class][said class]`; one label each. */
  readonly confusion?: readonly (readonly number[])[] | undefined
}

/** How a model of one's own classes was made, and how good it is. */
export interface FinetuneReport {
  /** What it started from. */
  readonly model: string
  /** What the features were made at. */
  readonly setting: string
  /** What learned. */
  readonly layers: 'head' | 'all'
  readonly data: readonly string[]
  readonly labelRule: string | undefined
  /** Pictures that were learned from. */
  readonly pictures: number
  readonly unlabelled: number
  readonly failures: readonly Failure[]
  readonly classes: readonly ClassResult[]
  /** λ: what the squares of the head's weights counted. */
  readonly penalty: number
  readonly heldOut: HeldOut
  /** Those that a head took for another class that hadn't learned from them, the surest first. */
  readonly mistakes: readonly WrongPicture[]
  /** Those among them that are likely to have the wrong label. */
  readonly suspects: readonly WrongPicture[]
  /** Pictures that show the same; no head was tried on one that had learned from the other. */
  readonly doubles: readonly DoublePictures[]
}

/** Pictures that weren't learned from, and what was said of them. */
export interface Tried {
  readonly pictures: readonly FeaturePicture[]
  /** `[pictures, classes]` */
  readonly scores: Float32Array
  /** As {@link HeldOut.folds}. */
  readonly folds?: number | undefined
}

export interface ReportFacts {
  readonly classes: OwnClasses
  readonly base: string
  readonly setting: string
  readonly layers: 'head' | 'all'
  readonly data: readonly string[]
  readonly dataSet: DataSet
  readonly collected: Collected
  readonly doubles: readonly Pair[]
  readonly penalty: number
  readonly tried: Tried
  /** Of `layers: 'all'`: how good the fitted head was that it began with, on the same pictures. */
  readonly headAccuracy?: Share | undefined
}

const thresholds = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95] as const

function thresholdResults(answered: Answered): ThresholdResult[] {
  const answers = answered.labels.map(([truth], picture) => ({ truth, ...answerOf(answered, picture) }))
  return thresholds.map((threshold) => {
    const told = answers.filter(({ score }) => score >= threshold)
    const right = told.filter((answer) => answer.label === answer.truth).length
    return { threshold, answered: shareOf(told.length, answers.length), right: shareOf(right, told.length) }
  })
}

const rounded = (value: number) => Number(value.toFixed(4))

/** The report of a model of one's own classes. */
export function makeReport(facts: ReportFacts): FinetuneReport {
  const { classes, base, setting, layers, data, dataSet, collected, doubles, penalty, tried, headAccuracy } =
    facts
  const { pictures, failures, unlabelled } = collected
  const { labels } = classes
  const answered: Answered = {
    classes: labels,
    labels: tried.pictures.map((picture) => picture.labels),
    scores: tried.scores,
  }
  const confusion = classes.several === undefined ? confusionOf(answered) : undefined
  const mistakes = confusion ? mistakesOf(answered) : []
  const wrong = ({ picture, label, said, score }: Mistake): WrongPicture => ({
    picture: tried.pictures[picture]?.name ?? '',
    label: labels[label] ?? '',
    said: labels[said] ?? '',
    probability: rounded(score),
  })
  const named = (row: number) => (pictures[row]?.labels ?? []).map((label) => labels[label] ?? '')
  const several = confusion ? undefined : labelResults(answered)
  return {
    ...{ model: base, setting, layers, data, labelRule: classes.several ?? dataSet.labelRule },
    ...{ pictures: pictures.length, unlabelled, failures },
    classes: confusion ? classResults(labels, confusion) : (several?.classes ?? []),
    penalty,
    heldOut: {
      ...(tried.folds === undefined ? {} : { folds: tried.folds }),
      accuracy: confusion ? accuracyOf(confusion) : (several?.exact ?? shareOf(0, 0)),
      ...(headAccuracy && { headAccuracy }),
      ...(confusion
        ? { thresholds: thresholdResults(answered), confusion }
        : { meanAveragePrecision: rounded(meanAveragePrecision(answered)) }),
    },
    mistakes: mistakes.map(wrong),
    suspects: suspectsOf(answered, mistakes).map(wrong),
    doubles: doubles.map(({ first, second, cosine }) => ({
      pictures: [pictures[first]?.name ?? '', pictures[second]?.name ?? ''],
      labels: [named(first), named(second)],
      same: pictures[first]?.hash === pictures[second]?.hash,
      cosine: rounded(cosine),
    })),
  }
}
