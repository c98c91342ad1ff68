import angular from 'angular'
import { signedIn } from '../core/route.js'
import { ledger } from '../ledger/ledger.module.js'
import { notifications } from '../notifications/notifications.module.js'
import { shared } from '../shared/shared.module.js'
import { ghBatchReport } from './batch-report/batch-report.component.js'
import { BatchService } from './batch.service.js'
import { ghElementEditor } from './element-editor/element-editor.component.js'
import { ghProjectDescribe } from './project-describe/project-describe.component.js'
import { ghProjectEditor } from './project-editor/project-editor.component.js'
import { ghProjectInterface } from './project-interface/project-interface.component.js'
import { ghProjectList } from './project-list/project-list.component.js'
import { ghProjectNew } from './project-new/project-new.component.js'
import { ghProjectPage } from './project-page/project-page.component.js'
import { ghProjectPrice } from './project-price/project-price.component.js'
import { ghProjectPublish } from './project-publish/project-publish.component.js'
import { ghProjectTasks } from './project-tasks/project-tasks.component.js'
import { ghProjectVersion } from './project-version/project-version.component.js'
import { projectResource } from './project.resource.js'
import { ghStarterScript } from './starter-script/starter-script.component.js'

export const projects = angular
  .module('guildhall.projects', [shared.name, ledger.name, notifications.name])
  .factory('Project', projectResource)
  .service('batches', BatchService)
  .component({
    ghBatchReport,
    ghElementEditor,
    ghProjectDescribe,
    ghProjectEditor,
    ghProjectInterface,
    ghProjectList,
    ghProjectNew,
    ghProjectPage,
    ghProjectPrice,
    ghProjectPublish,
    ghProjectTasks,
    ghProjectVersion,
    ghStarterScript,
  })
  .config(routes)

routes.$inject = ['$routeProvider']
function routes($routeProvider) {
  const page = (name, title, more) => ({ template: `<gh-${name}></gh-${name}>`, title, resolve: signedIn, ...more })
  $routeProvider
    .when('/projects', page('project-list', 'My projects', { reloadOnSearch: false }))
    .when('/projects/new', page('project-new', 'New project'))
    .when('/projects/:id/edit', page('project-editor', 'Edit project', { reloadOnSearch: false }))
    .when('/projects/:id/versions/:number', page('project-version', 'Version'))
    .when('/projects/:id', page('project-page', 'Project'))
}
