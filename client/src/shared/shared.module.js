import angular from 'angular'
import { core } from '../core/core.module.js'
import { ghBar } from './bar/bar.component.js'
import { ghChart } from './chart/chart.component.js'
import { ghDialog } from './dialog/dialog.component.js'
import { ghDuration } from './duration/duration.component.js'
import { ghEmpty } from './empty/empty.component.js'
import { ghFact } from './fact/fact.component.js'
import { ghFailed } from './failed/failed.component.js'
import { ghField } from './field/field.component.js'
import { ghFrame } from './frame/frame.component.js'
import { ghAsk } from './interface/ask.component.js'
import { ghInterface } from './interface/interface.component.js'
import { ghShow } from './interface/show.component.js'
import { ghJsonEditor } from './json-editor/json-editor.component.js'
import { ghKbd } from './kbd/kbd.component.js'
import { ghLoading } from './loading/loading.component.js'
import { ghMarkdown } from './markdown/markdown.component.js'
import { ghMoney } from './money/money.component.js'
import { ghNotFound } from './not-found/not-found.component.js'
import { ghPager } from './pager/pager.component.js'
import { ghSafeHtml } from './safe-html/safe-html.component.js'
import { ghStateTag } from './state-tag/state-tag.component.js'
import { ghStepBar } from './step-bar/step-bar.component.js'
import { ghToast } from './toast/toast.component.js'
import { ghWhen } from './when/when.component.js'

/** Presentational components that two or more features use. */
export const shared = angular.module('guildhall.shared', [core.name]).component({
  ghAsk,
  ghBar,
  ghChart,
  ghDialog,
  ghDuration,
  ghEmpty,
  ghFact,
  ghFailed,
  ghField,
  ghFrame,
  ghInterface,
  ghJsonEditor,
  ghKbd,
  ghLoading,
  ghMarkdown,
  ghMoney,
  ghNotFound,
  ghPager,
  ghSafeHtml,
  ghShow,
  ghStateTag,
  ghStepBar,
  ghToast,
  ghWhen,
})
