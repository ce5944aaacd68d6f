import { compareTab } from './compare/compare-tab.js'
import { lookTab } from './look/look-tab.js'
import { segmentTab } from './segment/segment-tab.js'
import type { Tab } from './tab.js'
import { teachTab } from './teach/teach-tab.js'

/** Every tab, in order. Adding one is its file and a line here. */
export const tabs: readonly Tab[] = [lookTab, compareTab, segmentTab, teachTab]
