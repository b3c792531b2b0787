from django.urls import path

from catalogue.api.views import ListingDetail, ListingList, SubjectList, TeacherDetail, TeacherList

app_name = "catalogue-api"
urlpatterns = [
    path("api/v1/subjects", SubjectList.as_view(), name="subjects"),
    path("api/v1/teachers", TeacherList.as_view(), name="teachers"),
    path("api/v1/teachers/<slug:slug>", TeacherDetail.as_view(), name="teacher"),
    path("api/v1/listings", ListingList.as_view(), name="listings"),
    path("api/v1/listings/<slug:domain>/<slug:reference>", ListingDetail.as_view(), name="listing"),
]
