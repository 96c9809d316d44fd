"""``/jobs``: background work, how far it is, and stopping it."""

from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE

from api.problems import ProblemError, describe_problems
from api.schemas.jobs import AcceptedSchema, JobDetailSchema, JobListQuery, JobListSchema
from api.services import Accepted, services
from recommender.jobs.ledger import cancel, enqueue, get_job, list_jobs
from recommender.jobs.steps import failed_items
from recommender.records.jobs import JobState

blueprint = APIBlueprint("jobs", __name__, tag="jobs")


@blueprint.get("/jobs")
@blueprint.input(JobListQuery, location="query", unknown=RAISE)
@blueprint.output(JobListSchema)
def get_jobs(query_data: dict[str, Any]) -> dict[str, Any]:
    """List jobs, newest first."""
    state = query_data.get("state")
    with services().database.read_session() as session:
        return {
            "jobs": list_jobs(
                session,
                limit=query_data["limit"],
                before_id=query_data.get("before_id"),
                state=None if state is None else JobState(state),
            )
        }


@blueprint.get("/jobs/<int:job_id>")
@blueprint.output(JobDetailSchema)
def get_one(job_id: int) -> dict[str, Any]:
    """Show how far a job is, how it ended, and what was set aside."""
    with services().database.read_session() as session:
        return vars(get_job(session, job_id)) | {"failed": failed_items(session, job_id)}


@blueprint.post("/jobs/<int:job_id>/cancel")
@blueprint.output(JobDetailSchema)
@blueprint.doc(responses=describe_problems(404, 409))
def cancel_one(job_id: int) -> dict[str, Any]:
    """Stop a job: at once while it waits, after its present step when it runs."""
    with services().database.session() as session:
        job = get_job(session, job_id)
        if job.state.is_final:
            raise ProblemError("job_finished", f"job {job_id} has {job.state} already")
        return vars(cancel(session, job_id)) | {"failed": failed_items(session, job_id)}


@blueprint.post("/jobs/<int:job_id>/retry")
@blueprint.output(AcceptedSchema, status_code=202)
@blueprint.doc(responses=describe_problems(404, 409))
def retry_one(job_id: int) -> Accepted:
    """Do a job that failed or was cancelled again, as a new job; what it finished is not done twice."""

    def queue_job(session: Any) -> int:
        job = get_job(session, job_id)
        if job.state not in (JobState.FAILED, JobState.CANCELLED):
            raise ProblemError("job_not_failed", f"job {job_id} is {job.state}")
        return enqueue(session, job.kind, job.payload)

    return services().accept(queue_job)
