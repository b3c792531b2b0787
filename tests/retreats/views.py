from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.guards import teacher_required
from tests.retreats.models import Retreat, Stay


@require_GET
def show_retreat(request, pk):
    retreat = get_object_or_404(Retreat, pk=min(pk, 2**63 - 1), is_on_sale=True)
    return render(request, "retreats/retreat_list.html", {"heading": retreat.title, "rows": [retreat]})


@require_GET
@login_required
def list_stays(request):
    stays = Stay.objects.filter(guest_id=request.user.pk).select_related("retreat")
    return render(request, "retreats/retreat_list.html", {"heading": "My retreats", "rows": stays})


@require_GET
@teacher_required
def show_desk(request):
    own = Retreat.objects.filter(teacher=request.teacher)
    return render(request, "retreats/retreat_list.html", {"heading": "Retreats", "rows": own, "is_desk": True})
